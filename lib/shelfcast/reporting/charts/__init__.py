"""Charts as inline SVG: themed by the page's CSS, sharp in print, and read aloud through their labels."""
