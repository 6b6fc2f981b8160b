import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { defineAsyncComponent, h } from "vue";
import "./style.css";

// Not in the bundle of every page: only the first page has it.
const HeroFigure = defineAsyncComponent(() => import("./figures/HeroFigure.vue"));

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { "home-hero-image": () => h(HeroFigure) }),
} satisfies Theme;
