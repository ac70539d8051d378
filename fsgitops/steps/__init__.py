"""Verbs: one public function per file. Steps never import each other."""
