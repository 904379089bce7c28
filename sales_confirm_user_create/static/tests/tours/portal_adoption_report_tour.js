import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

registry
    .category("web_tour.tours")
    .add("sales_confirm_user_create.portal_adoption_report", {
        url: "/odoo",
        steps: () => [
            ...stepUtils.goToAppSteps("sale.sale_menu_root", "Open Sales"),
            {
                content: "Open the reports",
                trigger: "[data-menu-xmlid='sale.menu_sale_report']",
                run: "click",
            },
            {
                content: "Open the report",
                trigger:
                    "[data-menu-xmlid='sales_confirm_user_create.portal_adoption_report_menu']",
                run: "click",
            },
            {
                content: "The report is about the last year",
                trigger: ".o_searchview_facet:contains('Last 365 Days')",
            },
            {
                content: "It opens on what became of the accounts",
                trigger: ".o_pivot thead:contains('Activation Rate')",
            },
            {
                content: "Open the graph",
                trigger: ".o_switch_view.o_graph",
                run: "click",
            },
            {
                content: "The graph is drawn",
                trigger: ".o_graph_canvas_container canvas",
            },
            {
                content: "Go back to the pivot table",
                trigger: ".o_switch_view.o_pivot",
                run: "click",
            },
            {
                content: "Open the orders behind the total",
                trigger: ".o_pivot tbody tr:first .o_pivot_cell_value:first",
                run: "click",
            },
            {
                content: "Open an order",
                trigger: ".o_list_view .o_data_row:first td[name='order_id']",
                run: "click",
            },
            {
                content: "This is an order",
                trigger: ".o_form_view .o_field_widget[name='partner_id']",
            },
        ],
    });
