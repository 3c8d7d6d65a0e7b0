"""Deliveries with a known verdict, to two small projects: what the built-in rules are measured by."""

from tests.review_corpus.notes.bad import BAD as NOTES_BAD
from tests.review_corpus.notes.honest import HONEST as NOTES_HONEST
from tests.review_corpus.shop.bad import BAD as SHOP_BAD
from tests.review_corpus.shop.honest import HONEST as SHOP_HONEST

BAD = (*NOTES_BAD, *SHOP_BAD)
HONEST = (*NOTES_HONEST, *SHOP_HONEST)
