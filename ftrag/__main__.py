from ftrag.cli import main

raise SystemExit(main())
