"""The store, proven on real files."""
