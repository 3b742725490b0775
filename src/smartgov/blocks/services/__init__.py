"""The citizen's side: catalogue, application, timeline."""
