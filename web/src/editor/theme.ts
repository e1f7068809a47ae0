import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

// The colours are those of the page: its custom properties reach into the shadow
// tree that the editor lives in.
const look = EditorView.theme({
  "&": {
    color: "var(--text)",
    backgroundColor: "var(--panel)",
    border: "1px solid var(--edge)",
    borderRadius: "var(--round)",
    fontSize: "13px",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": {
    fontFamily: "var(--mono)",
    lineHeight: "1.55",
    maxHeight: "min(65vh, 48rem)",
  },
  ".cm-content, .cm-gutters": { minHeight: "var(--editor-height, 14rem)" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 10px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    color: "var(--faint)",
    border: "none",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--code-line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--code-selection)",
  },
  "&:not(.cm-focused) .cm-matchingBracket": { backgroundColor: "transparent" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--code-match)", outline: "none" },
  ".cm-tooltip": {
    color: "var(--text)",
    backgroundColor: "var(--panel)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    boxShadow: "0 4px 16px var(--shadow)",
    maxWidth: "min(32rem, 92vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", lineHeight: "1.5" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    color: "var(--on-accent)",
    backgroundColor: "var(--accent)",
  },
  ".cm-completionDetail": { color: "var(--faint)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit", opacity: "0.85" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionInfo": { padding: "8px 12px" },
  ".cm-doc": { padding: "8px 12px", fontFamily: "var(--sans)", fontSize: "13px", lineHeight: "1.45" },
  ".cm-completionInfo .cm-doc": { padding: "0" },
  ".cm-doc p": { margin: "0 0 6px" },
  ".cm-doc p:last-child": { marginBottom: "0" },
  ".cm-doc pre": {
    margin: "6px 0 0",
    padding: "6px 8px",
    fontFamily: "var(--mono)",
    fontSize: "12px",
    whiteSpace: "pre-wrap",
    overflowWrap: "anywhere",
    backgroundColor: "var(--code-line)",
    borderRadius: "4px",
  },
  ".cm-diagnostic": {
    padding: "4px 10px",
    borderLeftWidth: "4px",
    fontFamily: "var(--sans)",
    overflowWrap: "anywhere",
  },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  // A wave as an image would be the only one in the page; a thick line is seen as well.
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad) 1.5px",
    textUnderlineOffset: "3px",
    textDecorationSkipInk: "none",
  },
  ".cm-lint-marker": { width: "0.8em", height: "0.8em" },
  ".cm-lint-marker-error": {
    content: "none",
    borderRadius: "50%",
    backgroundColor: "var(--bad)",
    marginTop: "0.3em",
  },
  ".cm-panels": { color: "var(--text)", backgroundColor: "var(--panel)", borderColor: "var(--line)" },
  ".cm-textfield": { color: "inherit", backgroundColor: "var(--ground)", borderColor: "var(--edge)" },
  ".cm-button": { color: "inherit", backgroundImage: "none", backgroundColor: "var(--ground)" },
  ".cm-searchMatch": { backgroundColor: "var(--code-match)" },
});

const colours = HighlightStyle.define([
  { tag: [t.keyword, t.controlKeyword], color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [t.string], color: "var(--code-string)" },
  { tag: [t.special(t.string), t.escape], color: "var(--code-special)" },
  { tag: [t.comment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [t.number, t.bool, t.null], color: "var(--code-number)" },
  { tag: [t.atom], color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [t.function(t.variableName)], color: "var(--code-function)" },
  { tag: [t.propertyName, t.definition(t.propertyName)], color: "var(--code-property)" },
  { tag: [t.special(t.variableName)], color: "var(--code-special)" },
  { tag: [t.operator, t.punctuation, t.bracket], color: "var(--faint)" },
  { tag: [t.invalid], color: "var(--bad)", textDecoration: "underline" },
]);

export const appearance = [look, syntaxHighlighting(colours)];
