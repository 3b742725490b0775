"""An OpenID provider: FAPI 2.0 by default, framework-free. The caller brings storage, people and pages."""
