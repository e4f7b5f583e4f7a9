"""Start the page: `python app.py`. Everything is in ftrag/."""

from ftrag.ui.start import main

if __name__ == "__main__":
    raise SystemExit(main())
