"""The site with caching off: what the pages benchmark compares the cached site with."""
