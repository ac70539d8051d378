"""The HTTP API and the operator page: reads and operates, declares nothing.

The only room that knows Starlette and uvicorn, which the extra `api` brings.
"""
