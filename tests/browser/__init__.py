import pytest

# Its assertions tell what they saw, as those of tests do.
pytest.register_assert_rewrite("tests.browser.pages")
