"""What is kept about reports: filters under a name, and exports that are made by themselves."""
