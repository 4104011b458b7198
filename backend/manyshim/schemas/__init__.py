"""The JSON Schemas of the report and of [tool.manyshim]; scripts/write_schemas.py writes them."""
