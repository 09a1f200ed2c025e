"""What the analyst reads after a study: a page for people (`html`), a file for programs (`result`), and what fills both (`model`)."""
