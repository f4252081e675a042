"""Container images put together and pushed without a Docker daemon, the same bytes from the same inputs.

`resolve_base` finds the image to build on, `make_layer` packs files, `assemble` writes an image, `push` sends it.
"""
