"""How often the report is right: runs whose fault is known because it was planted."""
