"""Per-epoch predictions that lie anywhere and in any number: pieces of work, engines that do them, moments that come back."""
