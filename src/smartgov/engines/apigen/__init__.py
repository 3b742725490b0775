"""An API with OpenAPI 3.1 made from the description of a register's tables."""
