export const scripts = {
  title: "Scripts",
};
