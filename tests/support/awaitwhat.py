"""The project awaitwhat: its pyproject.toml, and a program that uses it."""

from __future__ import annotations

PYPROJECT = """
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"

[project]
name = "awaitwhat"
version = "20.3"

[tool.setuptools]
packages = ["awaitwhat"]
ext-modules = [{{ name = "awaitwhat._what", sources = ["awaitwhat/what.c"] }}]
"""
USE = """
import asyncio
import awaitwhat

async def main():
    task = asyncio.ensure_future(asyncio.sleep(60))
    await asyncio.sleep(0)
    # What a sleeping coroutine waits for.
    print(type(awaitwhat._what.next(task.get_coro().cr_frame)).__name__)
    task.cancel()

asyncio.run(main())
"""
