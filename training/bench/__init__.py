"""How fast the training loop is: beside a plain loop, and beside what the machine can do."""
