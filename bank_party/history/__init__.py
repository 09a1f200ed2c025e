"""From the bank's own raw tables to one row a customer with a dormant card: the bank's variables at a date, and what came after."""
