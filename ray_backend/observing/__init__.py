"""What Rollcall tells of itself: figures for Prometheus, logs with a request's id, and traces."""
