"""An activation campaign: whom to contact with what, in groups that can be compared afterwards, and what it brought."""
