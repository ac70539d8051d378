"""The CDR sidecar: every leg of every call, once, from the switch to Parquet files."""
