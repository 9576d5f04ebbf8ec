"""Rollcall's backend: face engines, gallery, storage, use cases, and the Ray actors that serve them."""

__version__ = "0.1.0"
