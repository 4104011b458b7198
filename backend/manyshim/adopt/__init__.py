"""Switch a project to manyshim, and back: what `manyshim init` knows of projects."""
