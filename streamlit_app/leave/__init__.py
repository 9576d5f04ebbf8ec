"""Parts of the page of leave."""
