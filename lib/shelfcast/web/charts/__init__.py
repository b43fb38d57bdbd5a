"""Charts of the pages: described here in the reader's numbers, drawn by Chart.js in the browser (static/charts.js)."""
