"""Pictures in, faces and embeddings out: decoding, model packs, engines, alignment, quality."""
