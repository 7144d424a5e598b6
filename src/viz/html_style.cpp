#include "html_assets.h"

namespace tokensieve::drawing {

const char kReportStyle[] = R"css(
:root { color-scheme: light dark; --paper: #fbfbfc; --card: #fff; --ink: #1f2937; --faint: #5f6876;
  --line: #e3e6eb; --accent: #0b6bcb; --bar: #9cc4ec; --none: #c9ced6; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --card: #1c2027; --ink: #e6e9ee; --faint: #9aa4b2; --line: #303743;
    --accent: #6cb4ff; --bar: #2f5f92; --none: #4a5260; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main { max-width: 1060px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; }
header p, .recipe { color: var(--faint); margin: 4px 0 0; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 22px 24px 24px; margin: 24px 0; }
h2 { font-size: 18px; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 13px; margin: 0 0 6px; color: var(--faint); font-weight: 600; }
code { font: 13px ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
.columns { display: grid; grid-template-columns: minmax(0, 448px) minmax(0, 1fr); gap: 28px;
  margin-top: 16px; }
@media (max-width: 800px) { .columns { grid-template-columns: minmax(0, 1fr); } }
figure { margin: 0; }
figure img, canvas { display: block; width: 100%; height: auto; border-radius: 4px; }
.more { margin-top: 22px; }
.more img { background: #fff; }
canvas { cursor: crosshair; touch-action: manipulation; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.legend { margin-top: 10px; font-size: 13px; color: var(--faint); min-height: 40px;
  display: flex; flex-wrap: wrap; gap: 2px 16px; align-content: flex-start; align-items: center; }
.legend i { display: inline-block; width: 13px; height: 13px; border-radius: 2px; margin-right: 6px;
  vertical-align: -2px; box-shadow: 0 0 0 1px var(--line); }
.legend .scale { flex: 1 0 100%; height: 10px; border-radius: 2px; }
.legend .ends { flex: 1 0 100%; display: flex; justify-content: space-between;
  font-variant-numeric: tabular-nums; }
figcaption { margin-top: 8px; min-height: 3em; font-size: 14px;
  font-variant-numeric: tabular-nums; }
.controls:not([hidden]) { display: grid; gap: 10px; padding-bottom: 18px; margin-bottom: 18px;
  border-bottom: 1px solid var(--line); }
.controls .site { display: flex; gap: 12px; align-items: center; }
.controls input[type=range] { flex: 1; accent-color: var(--accent); min-width: 0; }
.controls input[type=radio] { accent-color: var(--accent); }
output { font-weight: 600; }
output small { display: block; color: var(--faint); font-weight: 400; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 18px; }
legend { float: left; margin-right: 18px; padding: 0; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 22px; }
.run ol { list-style: none; margin: 0; padding: 0; }
.run li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 10px;
  margin-bottom: 8px; }
.run bdi { overflow-wrap: anywhere; }
.run b { font-weight: 500; font-variant-numeric: tabular-nums; }
.run i { grid-column: 1 / -1; justify-self: start; height: 4px; min-width: 1px; border-radius: 2px;
  background: var(--bar); }
.run p { margin: 8px 0 0; color: var(--faint); font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; margin-top: 20px; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 0 5px 12px; border-bottom: 1px solid var(--line);
  font-weight: 400; }
th:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--faint); font-size: 13px; }
tr.now th, tr.now td { font-weight: 600; }
td small { color: var(--faint); }
.text { font-size: 17px; line-height: 1.9; overflow-wrap: anywhere; }
.text b { font-weight: 600; }
.text i { font-style: normal; border-bottom: 3px solid; transition: color .2s;
  color: color-mix(in srgb, var(--ink) var(--left), var(--card)); }
.text i.here { color: inherit; border-color: transparent !important; }
.text s { color: var(--faint); opacity: .6; text-decoration: none; }
.texts .controls { margin-top: 14px; }
)css";

}  // namespace tokensieve::drawing
