"""Parts of the page of corrections."""
