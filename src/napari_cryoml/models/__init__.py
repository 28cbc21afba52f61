"""Networks and their Configs."""
