"""Live picking: every click refits the picker."""
