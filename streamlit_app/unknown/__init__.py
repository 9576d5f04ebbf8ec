"""The parts of the page *Unknown faces*."""
