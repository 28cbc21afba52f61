"""The same jobs from the shell."""
