"""PicTrace beside the tools that people use instead, over the same folder of copies."""
