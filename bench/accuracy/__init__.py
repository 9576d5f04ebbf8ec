"""How often a pack errs on labelled photos: error rates with intervals, thresholds, search, effects.

Usage: python -m bench.accuracy [--photos FOLDER]... [--pack PACK]... [--gallery N]... [--out FOLDER]
"""
