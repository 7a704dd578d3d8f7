"use strict";
// Every path of openapi.json as a section.

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

document.getElementById("origin").textContent = location.origin;
fetch("/openapi.json").then((response) => response.json()).then((api) => {
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, about] of Object.entries(methods)) {
      const parts = [make("h2", {}, make("code", { textContent: `${method.toUpperCase()} ${path}` }))];
      const text = [about.summary, about.description].filter(Boolean).join(" ");
      if (text) parts.push(make("p", { textContent: text }));
      const rows = (about.parameters || []).map((parameter) => make("tr", {},
        make("th", { scope: "row" }, make("code", { textContent: parameter.name })),
        make("td", { textContent: `${parameter.in}${parameter.required ? "" : ", optional"}: ${parameter.description || ""}` })));
      const codes = Object.entries(about.responses || {}).map(([code, response]) => make("tr", {},
        make("th", { scope: "row", textContent: code }), make("td", { textContent: response.description })));
      parts.push(make("table", {}, make("tbody", {}, ...rows, ...codes)));
      document.getElementById("paths").append(make("section", {}, ...parts));
    }
  }
});
