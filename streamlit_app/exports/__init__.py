"""The parts of the page of scheduled exports."""
