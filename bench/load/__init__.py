"""The parts of the load test that locustfile_ray.py puts together."""
