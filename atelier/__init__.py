"""What a person calls: the schema of a team file (`atelier.spec`) and the command (`atelier.cli`)."""
