"""The pure core: what Rollcall knows, without any machinery. Imports the standard library and numpy only."""
