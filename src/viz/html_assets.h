#pragma once

namespace tokensieve::drawing {

extern const char kReportStyle[];   ///< The style sheet of a report.
extern const char kReportScript[];  ///< Its script; reads what html_report.cpp writes.

}  // namespace tokensieve::drawing
