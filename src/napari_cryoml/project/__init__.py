"""One SQLite file that holds a project."""
