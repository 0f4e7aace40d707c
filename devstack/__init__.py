"""The site on one machine: `make up`, `make test`, `make check`. Nothing here is in the image."""
