"""A release that replaces tests/support/earlier, beside which it runs for a while."""
