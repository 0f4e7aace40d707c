"""A release that is being replaced; its successor is tests/support/later."""
