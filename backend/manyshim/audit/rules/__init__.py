"""The rules of the context, one module a subject: each takes a Context and yields findings."""
