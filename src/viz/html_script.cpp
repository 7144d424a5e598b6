#include "html_assets.h"

namespace tokensieve::drawing {

// One viewer per article. Text only goes in through textContent: what a label or a file name
// contains can never become markup.
const char kReportScript[] = R"js(
'use strict';
(() => {
  const hex = document.body.dataset.colormap;
  const ramp = Array.from({length: 256}, (_, i) => '#' + hex.slice(6 * i, 6 * i + 6));
  const NONE = 'rgb(226 228 232)';
  const number = v => v === null ? 'none' : String(Number(v.toPrecision(3)));

  function element(name, text, style) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (style) Object.assign(made.style, style);
    return made;
  }

  // The picture in grey, `floor + share * luma` a pixel.
  function greyCopy(image, floor, share) {
    const canvas = element('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.data.length; i += 4) {
      const luma = 0.299 * data.data[i] + 0.587 * data.data[i + 1] + 0.114 * data.data[i + 2];
      data.data[i] = data.data[i + 1] = data.data[i + 2] = floor + share * luma;
    }
    context.putImageData(data, 0, 0);
    return canvas;
  }

  // The mean colour of every patch.
  function patchMeans(image, gridHeight, gridWidth) {
    const canvas = element('canvas');
    const width = canvas.width = image.naturalWidth, height = canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, width, height).data;
    const means = Array.from({length: gridHeight * gridWidth}, () => [0, 0, 0]);
    const share = gridHeight * gridWidth / (width * height);
    for (let i = 0; i < width * height; ++i) {
      const row = Math.floor(Math.floor(i / width) * gridHeight / height);
      const mean = means[row * gridWidth + Math.floor(i % width * gridWidth / width)];
      for (let c = 0; c < 3; ++c) mean[c] += share * data[4 * i + c];
    }
    return means;
  }

  function start(article) {
    const trace = JSON.parse(article.querySelector('script').textContent);
    const image = article.querySelector('img');
    const controls = article.querySelector('.controls');
    const slider = controls.querySelector('input[type=range]');
    const output = controls.querySelector('output');
    const legend = article.querySelector('.legend');
    const status = article.querySelector('figcaption');
    const tableRows = article.querySelectorAll('tbody tr');
    const {gridHeight, gridWidth, sites} = trace;
    const tokens = gridHeight * gridWidth;
    const means = patchMeans(image, gridHeight, gridWidth);
    const dark = greyCopy(image, 14, 0.32), grey = greyCopy(image, 0, 1);
    const pale = greyCopy(image, 60, 0.5);

    const canvas = element('canvas');
    const factor = Math.ceil(896 / Math.max(image.naturalWidth, image.naturalHeight));
    canvas.width = image.naturalWidth * factor;
    canvas.height = image.naturalHeight * factor;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', image.alt + ': patches; arrow keys go from token to token');
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    const cellWidth = canvas.width / gridWidth, cellHeight = canvas.height / gridHeight;
    const unit = canvas.width / 448;

    let token = null;
    const site = () => Number(slider.value) - 1;  // -1: the input
    const view = () => controls.querySelector('input[type=radio]:checked').value;
    const fate = i => site() < 0 ? 'k' : sites[site()].fate[i];
    const stays = i => fate(i) === 'k' || fate(i) === 'm';
    // Rows that leave inside attention: the others still attend to them there.
    const leaves = i => site() >= 0 && sites[site()].inside && fate(i) === 'd' &&
                        (site() === 0 || sites[site() - 1].fate[i] !== 'd');
    const cell = i => [(i % gridWidth) * cellWidth, Math.floor(i / gridWidth) * cellHeight];

    // Runs `paint` with drawing limited to the tokens that pass `test`.
    function inside(test, paint) {
      context.save();
      context.beginPath();
      for (let i = 0; i < tokens; ++i) {
        if (test(i)) context.rect(...cell(i), cellWidth, cellHeight);
      }
      context.clip();
      paint();
      context.restore();
    }

    function fill(picture) { context.drawImage(picture, 0, 0, canvas.width, canvas.height); }

    function lines(color, width, segments) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.beginPath();
      for (const [x0, y0, x1, y1] of segments) { context.moveTo(x0, y0); context.lineTo(x1, y1); }
      context.stroke();
    }

    function hatch() {
      const slants = [];
      for (let x = 0; x < canvas.width + canvas.height; x += 10 * unit) {
        slants.push([x, 0, x - canvas.height, canvas.height]);
      }
      lines('rgb(86 180 233 / 0.5)', 1.2 * unit, slants);
    }

    // Every group of merged tokens in its mean colour, and lines where two rows meet.
    function groups() {
      const now = sites[site()], members = new Map();
      for (let i = 0; i < tokens; ++i) {
        if (fate(i) !== 'm') continue;
        if (!members.has(now.row[i])) members.set(now.row[i], []);
        members.get(now.row[i]).push(i);
      }
      for (const patches of members.values()) {
        const sum = [0, 0, 0];
        for (const i of patches) means[i].forEach((value, c) => { sum[c] += value; });
        context.fillStyle = `rgb(${sum.map(value => value / patches.length).join(' ')})`;
        for (const i of patches) context.fillRect(...cell(i), cellWidth, cellHeight);
      }
      const edges = [];
      const meet = (i, j, edge) => {
        if ((fate(i) === 'm' || fate(j) === 'm') && now.row[i] !== now.row[j]) edges.push(edge);
      };
      for (let i = 0; i < tokens; ++i) {
        const [x, y] = cell(i), right = x + cellWidth, bottom = y + cellHeight;
        if ((i + 1) % gridWidth !== 0) meet(i, i + 1, [right, y, right, bottom]);
        if (i + gridWidth < tokens) meet(i, i + gridWidth, [x, bottom, right, bottom]);
      }
      lines('rgb(255 255 255 / 0.7)', 1.6 * unit, edges);
    }

    // Edges between a kept token and one that is not, drawn on the side of the latter.
    function outline() {
      const edges = [];
      for (let i = 0; i < tokens; ++i) {
        if (!stays(i)) continue;
        const [x, y] = cell(i), right = x + cellWidth, bottom = y + cellHeight;
        const column = i % gridWidth;
        if (column > 0 && !stays(i - 1)) edges.push([x, y, x, bottom]);
        if (column < gridWidth - 1 && !stays(i + 1)) edges.push([right, y, right, bottom]);
        if (i >= gridWidth && !stays(i - gridWidth)) edges.push([x, y, right, y]);
        if (i + gridWidth < tokens && !stays(i + gridWidth)) {
          edges.push([x, bottom, right, bottom]);
        }
      }
      inside(i => !stays(i), () => {
        context.lineCap = 'square';
        lines('rgb(255 255 255 / 0.9)', 4 * unit, edges);
      });
    }

    // How often a sampled token was drawn, if more than once.
    function counts() {
      if (site() < 0) return;
      const size = Math.min(10 * unit, 0.7 * cellHeight);
      context.font = `600 ${size}px system-ui, sans-serif`;
      context.textBaseline = 'top';
      context.lineJoin = 'round';
      context.lineWidth = 0.28 * size;
      context.strokeStyle = '#141414';
      context.fillStyle = '#fff';
      sites[site()].draws.forEach((draws, i) => {
        if (draws < 2) return;
        const [x, y] = cell(i);
        context.strokeText(draws, x + 3 * unit, y + 3 * unit);
        context.fillText(draws, x + 3 * unit, y + 3 * unit);
      });
    }

    function grid() {
      if (Math.min(cellWidth, cellHeight) < 6 * unit) return;
      const between = [];
      for (let column = 1; column < gridWidth; ++column) {
        between.push([column * cellWidth, 0, column * cellWidth, canvas.height]);
      }
      for (let row = 1; row < gridHeight; ++row) {
        between.push([0, row * cellHeight, canvas.width, row * cellHeight]);
      }
      lines('rgb(255 255 255 / 0.18)', unit, between);
    }

    function swatch(color, text) {
      const entry = element('span'), mark = element('i');
      mark.style.background = color;
      entry.append(mark, text);
      legend.append(entry);
    }

    function drawKept() {
      fill(image);
      inside(i => !stays(i), () => fill(dark));
      inside(leaves, () => fill(pale));
      inside(i => fate(i) === 'f', hatch);
      if (site() >= 0) groups();
      grid();
      outline();
      counts();
      const occurs = letter => sites.some(s => s.fate.includes(letter));
      const sampled = sites.some(s => s.draws.length > 0);
      swatch('rgb(196 148 84)', sampled ? 'kept; a number: drawn as often' : 'kept');
      if (occurs('m')) {
        swatch('linear-gradient(#c49454, #c49454) center / 75% 75% no-repeat, #fff',
               'merged: a group in its mean colour');
      }
      if (sites.some(s => s.inside && s.fate.includes('d'))) {
        swatch('#8b8b8b', 'leaves here, attended to once more');
      }
      if (occurs('d')) swatch('#3a3a3a', 'dropped');
      if (occurs('f')) {
        swatch('repeating-linear-gradient(135deg, #2d3a42 0 3px, #56b4e9 3px 4px)',
               'fused with others');
      }
    }

    function drawColors(colorOf) {
      fill(grey);
      context.globalAlpha = 0.7;
      for (let i = 0; i < tokens; ++i) {
        context.fillStyle = colorOf(i);
        context.fillRect(...cell(i), cellWidth, cellHeight);
      }
      context.globalAlpha = 1;
      grid();
    }

    function scoreColor(range, score) {
      if (!range || score === null || (range.log && score <= 0)) return NONE;
      const {low, high} = range;
      const t = low === high ? 0.5 : range.log ? Math.log(score / low) / Math.log(high / low)
                                               : (score - low) / (high - low);
      return ramp[Math.round(255 * Math.min(1, Math.max(0, t)))];
    }

    function drawScore() {
      const now = site() < 0 ? null : sites[site()], range = now && now.range;
      drawColors(i => scoreColor(range, now && now.score[i]));
      if (!range) {
        legend.append(element('span', 'no scores here: move to a site that has some'));
        return;
      }
      const scale = element('div', '', {
        background: `linear-gradient(to right, ${ramp.filter((_, i) => i % 15 === 0).join()})`});
      scale.className = 'scale';
      const ends = element('div');
      ends.className = 'ends';
      ends.append(element('span', number(range.low)),
                  element('span', now.scoreName + (range.log ? ', logarithmic scale' : '')),
                  element('span', number(range.high)));
      legend.append(scale, ends);
      if (now.score.includes(null)) swatch(NONE, 'no score here');
    }

    function drawDropped() {
      const colors = new Map(trace.steps.map(step => [step.block, step.color]));
      drawColors(i => colors.get(trace.droppedAt[i]));
      for (const step of trace.steps) swatch(step.color, step.text);
    }

    function describe() {
      if (token === null) {
        status.textContent = 'Point at a patch, or focus the picture and use the arrow keys.';
        return;
      }
      const row = Math.floor(token / gridWidth), column = token % gridWidth;
      const where = `Token ${token} (row ${row}, column ${column})`;
      if (site() < 0) { status.textContent = where + ': in the input.'; return; }
      const now = sites[site()];
      const parts = [];
      if (now.score[token] !== null) parts.push(now.scoreName + ' ' + number(now.score[token]));
      if (now.draws[token] > 0) {
        parts.push(`drawn ${now.draws[token]} ${now.draws[token] === 1 ? 'time' : 'times'}`);
      }
      if (leaves(token)) parts.push('attended to once more');
      if (now.fate[token] === 'k') parts.push('kept as row ' + now.row[token]);
      if (now.fate[token] === 'm') parts.push('merged into row ' + now.row[token]);
      if (now.fate[token] === 'f') parts.push('fused into row ' + now.row[token]);
      if (now.fate[token] === 'd') parts.push('dropped');
      if (now.fate[token] !== 'd') parts.push('weight ' + number(now.weight[token]));
      if (trace.droppedAt[token] >= 0) {
        const how = stays(token) ? 'shares a row since block ' : 'left at block ';
        parts.push(how + trace.droppedAt[token]);
      }
      status.textContent = where + ': ' + parts.join(', ') + '.';
    }

    function draw() {
      legend.replaceChildren();
      ({kept: drawKept, score: drawScore, dropped: drawDropped})[view()]();
      if (token !== null) {
        const [x, y] = cell(token);
        context.lineJoin = 'miter';
        for (const [color, width] of [['#000', 5 * unit], ['#fff', 2.5 * unit]]) {
          context.strokeStyle = color;
          context.lineWidth = width;
          context.strokeRect(x, y, cellWidth, cellHeight);
        }
      }
      const input = {caption: `input: ${tokens} tokens`, note: 'before the first site'};
      const now = site() < 0 ? input : sites[site()];
      output.replaceChildren(now.caption, element('small', now.note));
      slider.setAttribute('aria-valuetext', now.caption);
      tableRows.forEach((row, i) => row.classList.toggle('now', i === site()));
      describe();
    }

    function select(next) {
      if (next === token) return;
      token = next;
      draw();
    }

    function tokenAt(event) {
      const box = canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / box.width * gridWidth);
      const row = Math.floor((event.clientY - box.top) / box.height * gridHeight);
      const within = column >= 0 && column < gridWidth && row >= 0 && row < gridHeight;
      return within ? row * gridWidth + column : null;
    }

    canvas.addEventListener('pointermove', event => select(tokenAt(event)));
    canvas.addEventListener('pointerdown', event => select(tokenAt(event)));
    canvas.addEventListener('pointerleave', () => select(null));
    canvas.addEventListener('keydown', event => {
      const row = token === null ? 0 : Math.floor(token / gridWidth);
      const column = token === null ? 0 : token % gridWidth;
      const go = {
        ArrowLeft: [row, Math.max(0, column - 1)],
        ArrowRight: [row, Math.min(gridWidth - 1, column + 1)],
        ArrowUp: [Math.max(0, row - 1), column],
        ArrowDown: [Math.min(gridHeight - 1, row + 1), column],
        Home: [0, 0],
        End: [gridHeight - 1, gridWidth - 1],
      }[event.key];
      if (event.key === 'Escape') select(null);
      if (!go) return;
      event.preventDefault();
      select(token === null && event.key !== 'End' ? 0 : go[0] * gridWidth + go[1]);
    });
    controls.addEventListener('input', draw);

    image.replaceWith(canvas);
    controls.hidden = false;
    draw();
  }

  for (const article of document.querySelectorAll('article')) {
    const image = article.querySelector('img');
    image.decode().then(() => start(article));
  }
})();
)js";

}  // namespace tokensieve::drawing
