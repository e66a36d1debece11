"""The name of an encoded split that several packages open."""

TEXT = "text.parquet"
"""The unlabelled text, in a folder of its own."""
