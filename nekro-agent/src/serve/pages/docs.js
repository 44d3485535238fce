// Shows the OpenAPI document. Everything is put in as text, for descriptions come from plugins.
"use strict";

const add = (parent, name, text) => {
    const element = parent.appendChild(document.createElement(name));
    if (text !== undefined) element.textContent = text;
    return element;
};

const show = (path, method, operation) => {
    const details = document.createElement("details");
    const summary = add(details, "summary");
    add(summary, "b", method.toUpperCase());
    add(summary, "code", path);
    add(summary, "span", operation["x-role"] ?? "everybody").className = "who";
    add(details, "p", operation.description ?? operation.summary);
    const part = (title, value) => {
        if (value === undefined) return;
        add(details, "h3", title);
        add(details, "pre", JSON.stringify(value, null, 2));
    };
    part("Parameters", operation.parameters);
    part("Body", operation.requestBody?.content);
    part("Answers", operation.responses);
    return details;
};

const read = async () => {
    const about = document.getElementById("about");
    const answer = await fetch("/api/openapi.json");
    if (answer.status === 401) {
        location.assign("/login");
        return;
    }
    const description = await answer.json();
    about.textContent = description.info.description;
    const all = [];
    for (const [path, methods] of Object.entries(description.paths)) {
        for (const [method, operation] of Object.entries(methods)) {
            const element = show(path, method, operation);
            document.getElementById("operations").append(element);
            all.push([`${method} ${path} ${operation.summary}`.toLowerCase(), element]);
        }
    }
    document.getElementById("filter").addEventListener("input", (event) => {
        for (const [text, element] of all) element.hidden = !text.includes(event.target.value.toLowerCase());
    });
};

read();
