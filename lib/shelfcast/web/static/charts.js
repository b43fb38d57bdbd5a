// Draws the charts that the server describes (web/charts/description.py), in the colours of the style sheet.
(() => {
  "use strict";
  const DASHED = { borderWidth: 1.5, borderDash: [5, 4] };
  const ROW = 44;
  const PAPER_WIDTH = 720;

  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const washed = (name, alpha) => Chart.helpers.color(colour(name)).alpha(alpha).rgbString();

  const named = (ticks) => {
    const labels = new Map(ticks.map(({ at, label }) => [at, label]));
    return {
      afterBuildTicks: (scale) => { scale.ticks = ticks.map(({ at }) => ({ value: at })); },
      ticks: { callback: (at) => labels.get(at), color: colour("soft"), maxRotation: 0, autoSkipPadding: 16 },
    };
  };
  const numbers = (format) => ({
    beginAtZero: true, grid: { color: colour("rule") }, border: { display: false },
    ticks: { color: colour("soft"), maxTicksLimit: 6, format },
  });

  const line = ({ name, tone, values, told, dashed }) => ({
    label: name, told, data: values, key: "line",
    borderColor: colour(tone), backgroundColor: colour(tone), ...(dashed ? DASHED : { borderWidth: 2 }),
    // A line through one point would not be seen.
    pointRadius: values.filter((value) => value !== null).length === 1 ? 3 : 0,
  });
  const band = ({ name, tone, values, low, told }) => {
    const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, backgroundColor: washed(tone, 0.24) };
    const high = { ...edge, label: name, told, data: values, key: "rect", fill: "-1" };
    return [{ ...edge, data: low, isLowEdge: true }, high];
  };
  const level = ({ label, value }, place) => ({
    type: "line", yMin: value, yMax: value, borderColor: colour("soft"), ...DASHED,
    label: {
      // They may be a unit apart: the first is named above its line, the second below.
      display: true, content: label, position: "end", yAdjust: place === 0 ? -11 : 11, padding: 2,
      color: colour("ink"), backgroundColor: washed("panel", 0.75), font: { size: 12 },
    },
  });

  const lines = ({ titles, ticks, series, levels }) => ({
    type: "line",
    data: { labels: titles, datasets: series.flatMap((one) => (one.low ? band(one) : [line(one)])) },
    options: {
      interaction: { mode: "index", intersect: false },
      // For the name of a level at the upper edge.
      layout: { padding: { top: levels.length ? 18 : 4 } },
      scales: { x: { ...named(ticks), grid: { display: false }, border: { color: colour("faint") } }, y: numbers() },
      plugins: {
        annotation: { clip: false, annotations: levels.map(level) },
        legend: {
          position: "bottom", align: "start",
          labels: {
            color: colour("soft"), usePointStyle: true, pointStyleWidth: 22, boxHeight: 9,
            filter: ({ datasetIndex }, { datasets }) => !datasets[datasetIndex].isLowEdge,
            generateLabels: (chart) => Chart.defaults.plugins.legend.labels.generateLabels(chart).map((item) => {
              const { key, borderDash } = chart.data.datasets[item.datasetIndex];
              return { ...item, pointStyle: key, lineDash: borderDash };
            }),
          },
        },
        tooltip: {
          filter: ({ dataset }) => !dataset.isLowEdge,
          callbacks: { label: ({ dataset, dataIndex }) => `${dataset.label}: ${dataset.told[dataIndex]}` },
        },
      },
    },
  });

  const bars = ({ bars: rows }) => ({
    type: "bar",
    data: {
      labels: rows.map(({ label }) => label),
      datasets: [{
        data: rows.map(({ value }) => value), barThickness: 12, borderRadius: 3,
        backgroundColor: rows.map(({ marked }) => (marked ? colour("accent") : washed("accent", 0.4))),
      }],
    },
    options: {
      indexAxis: "y",
      interaction: { mode: "nearest", axis: "y", intersect: false },
      scales: {
        x: numbers({ style: "percent", minimumFractionDigits: 0, maximumFractionDigits: 1 }),
        y: {
          grid: { display: false }, border: { display: false },
          // Names stand over their bars: beside them there is no room on a phone.
          ticks: { mirror: true, labelOffset: -15, autoSkip: false, padding: 0, color: colour("ink") },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: { displayColors: false, callbacks: { title: () => "", label: ({ label }) => label } },
      },
    },
  });

  const bubbles = ({ x_title, y_title, low, high, ticks, bubbles: cells }) => {
    const axis = (title) => ({
      ...named(ticks), type: "logarithmic", min: low, max: high,
      grid: { color: colour("rule") }, border: { color: colour("faint") },
      title: { display: true, text: title, color: colour("soft") },
    });
    const ends = { xMin: low, xMax: high, yMin: low, yMax: high };
    const diagonal = { type: "line", ...ends, borderColor: colour("soft"), ...DASHED };
    return {
      type: "scatter",
      data: {
        datasets: [{
          data: cells, backgroundColor: washed("accent", 0.5), borderColor: colour("accent"),
          pointRadius: ({ chart, raw }) => 2 + Math.sqrt(raw?.weight ?? 0) * chart.width / 40,
        }],
      },
      options: {
        interaction: { mode: "nearest", intersect: true },
        scales: { x: axis(x_title), y: axis(y_title) },
        plugins: {
          annotation: { annotations: { diagonal } },
          legend: { display: false },
          tooltip: { displayColors: false, callbacks: { label: ({ raw }) => raw.told } },
        },
      },
    };
  };

  const KINDS = { lines, bars, bubbles };

  const draw = (canvas) => {
    const described = JSON.parse(canvas.dataset.chart);
    const { type, data, options } = KINDS[described.kind](described);
    if (described.kind === "bars") canvas.parentElement.style.height = `${ROW * described.bars.length + 40}px`;
    Chart.getChart(canvas)?.destroy();
    return new Chart(canvas, { type, data, options: { ...options, locale: described.locale } });
  };
  const drawAll = () => {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Object.assign(Chart.defaults.plugins.tooltip, {
      backgroundColor: colour("panel"), borderColor: colour("faint"), borderWidth: 1,
      titleColor: colour("ink"), bodyColor: colour("ink"), usePointStyle: true,
    });
    return [...document.querySelectorAll("canvas[data-chart]")].map(draw);
  };
  const print = () => {
    document.documentElement.classList.add("on-paper");
    drawAll().forEach((chart) => chart.resize(PAPER_WIDTH, chart.height));
  };
  const unprint = () => {
    document.documentElement.classList.remove("on-paper");
    drawAll();
  };

  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // Before printing the style sheet still tells the colours and widths of the screen.
  addEventListener("beforeprint", print);
  addEventListener("afterprint", unprint);
})();
